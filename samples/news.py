# ruff: noqa: E501 - prose and tables are data here
"""Two invented news sites: the same stories twice, once as RSS 2.0 and once as Atom."""

from xml.sax.saxutils import escape

Story = tuple[str, str, str, str]
"""Title, path or address, RFC 822 date / RFC 3339 date, HTML text."""

PHISHING = "Valse mails over de Kamer van Koophandel vragen ondernemers om in te loggen"
FORTI = "Fortinet dicht lek in FortiOS waarmee aanvallers beheerder worden"


def rss(stories: list[tuple[str, str, str, str]]) -> str:
    """RSS 2.0 of Beveiligingsbode: one item without guid, an author with an address, a zone name that RFC 822 lacks."""
    items = "".join(
        f"""  <item>
    <title>{escape(title)}</title>
    <link>https://www.beveiligingsbode.example{path}</link>
    <description>{escape(html)}</description>
    <author>redactie@beveiligingsbode.example (Willeke Verzonnen)</author>
    <pubDate>{at}</pubDate>
  </item>
"""
        for title, path, at, html in stories
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0">
<channel>
  <title>Beveiligingsbode</title>
  <link>https://www.beveiligingsbode.example/</link>
  <description>Nieuws over digitale veiligheid voor ondernemers</description>
  <language>nl</language>
{items}</channel>
</rss>
"""


def atom(updated: str, stories: list[tuple[str, str, str, str]]) -> str:
    """Atom 1.0 of Cyberkrant."""
    entries = "".join(
        f"""  <entry>
    <id>tag:cyberkrant.example,2026:{path.strip("/")}</id>
    <title>{escape(title)}</title>
    <link href="https://cyberkrant.example{path}"/>
    <updated>{at}</updated>
    <author><name>Joost Niemand</name></author>
    <summary type="html">{escape(html)}</summary>
  </entry>
"""
        for title, path, at, html in stories
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="nl">
  <id>tag:cyberkrant.example,2026:feed</id>
  <title>Cyberkrant</title>
  <updated>{updated}</updated>
{entries}</feed>
"""


_PHISHING_TEXT = (
    "<p>Ondernemers krijgen deze week mails die van de Kamer van Koophandel lijken te komen. Wie op de link klikt, komt op "
    "een nagemaakte inlogpagina. De KVK vraagt nooit per mail om in te loggen.</p>"
)
FILES: dict[str, dict[str, str]] = {
    "1-monday": {
        "beveiligingsbode.xml": rss([
            (PHISHING, "/2026/03/valse-mails-kvk", "Mon, 02 Mar 2026 08:15:00 GMT+0100", _PHISHING_TEXT),
            (FORTI, "/2026/03/fortinet-fortios", "Mon, 02 Mar 2026 11:05 +0100",
             "<p>Fortinet heeft een ernstig lek in FortiOS en FortiProxy gedicht. Wie bij de beheerpagina kan, kan zichzelf "
             "beheerder maken (CVE-2024-55591).</p><script>alert(1)</script>"),
        ]),
        "cyberkrant.atom": atom("2026-03-02T12:00:00+01:00", [
            (PHISHING, "/nieuws/valse-mails-kvk", "2026-03-02T09:40:00+01:00",
             "<p>Valse mails uit naam van de KVK gaan rond. <b>Klik niet</b>, en meld de mail bij valse-email@kvk.example.</p>"),
        ]),
    },
    "4-thursday": {
        "beveiligingsbode.xml": rss([
            ("Provincie organiseert oefenweek ransomware voor de maakindustrie", "/2026/03/oefenweek",
             "Wed, 05 Mar 2026 09:00:00 +0100",
             "<p>Bedrijven kunnen in april oefenen met een nagespeelde gijzeling van hun systemen.</p>"),
            (PHISHING, "/2026/03/valse-mails-kvk", "Mon, 02 Mar 2026 08:15:00 GMT+0100", _PHISHING_TEXT),
        ]),
        "cyberkrant.atom": atom("2026-03-05T18:30:00+01:00", [
            ("Lek in PAN-OS wordt aangevallen", "/nieuws/pan-os-aangevallen", "2026-03-05T18:30:00+01:00",
             "<p>Aanvallers gebruiken CVE-2024-3400 om firewalls over te nemen. Werk meteen bij.</p>"),
        ]),
    },
}  # fmt: skip
