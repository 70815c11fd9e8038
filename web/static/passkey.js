// A passkey for the form on this page: what the browser's authenticator answers goes into the form, and the form is
// sent. Without script, or without passkeys, the button stays hidden and codes do.
"use strict";
const form = document.querySelector("form[data-passkey]");
const failed = document.getElementById("passkey-failed");
const ask = async () => {
  failed.hidden = true;
  const asked = JSON.parse(form.dataset.passkey).publicKey;
  const made = "user" in asked;
  try {
    const answer = made
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
    form.elements.answer.value = JSON.stringify(answer);
    form.submit();
  } catch {
    failed.hidden = false;
    failed.focus();
  }
};
if (form && window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
}
