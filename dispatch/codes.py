"""Verification codes: what a reader types at /verify to learn whether a message is ours.

A code is the beginning of the delivery's id, which is a keyed hash: nobody can make one up, and the id of the delivery
is found by it. It is in Crockford's base 32, which has no letters that are taken for digits.
"""

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
"""Digits of 5 bits: 15 hexadecimal digits of an id."""
_HEX = _LENGTH * 5 // 4
_READ = str.maketrans("OIL", "011", " -.")


def code_of(delivery: str) -> str:
    """`K7QM-3XTP-9RWZ`, of the id of a delivery (hexadecimal)."""
    number = int(delivery[:_HEX], 16)
    digits = "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
    return "-".join(digits[at : at + 4] for at in range(0, _LENGTH, 4))


def beginning(typed: str) -> str | None:
    """With what the delivery's id begins, of a code as people type it; None: it is none."""
    digits = typed.strip().upper().translate(_READ)
    if len(digits) != _LENGTH or not set(digits) <= set(_DIGITS):
        return None
    number = sum(_DIGITS.index(digit) << 5 * place for place, digit in enumerate(reversed(digits)))
    return f"{number:0{_HEX}x}"
