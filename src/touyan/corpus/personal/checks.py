"""Check digits: the arithmetic by which a number shows that it was issued, or was at least not mistyped.

Owns the sums and the alphabets. Knows nothing about texts. Invariant: every function takes the number without separators and
in capitals, and answers False for anything else.
"""

from __future__ import annotations

import re
from datetime import date

ID_DIGITS, CARD_DIGITS = 18, range(16, 20)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, from ISO 7064 MOD 11-2
_ID_CHECK = "10X98765432"
_PROVINCES = frozenset(  # GB/T 2260; 81 to 83 are residence permits of Hong Kong, Macao and Taiwan
    str(code)
    for codes in (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66), (71, 81, 82, 83, 91))
    for code in codes
)
# ISO/IEC 7812 issuers that cards in China carry: 3 to 6, MasterCard's 2221 to 2720, UnionPay's 81, the older 9558 of ICBC.
_ISSUER = re.compile(r"[3-6]|81|9558|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720")
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I, O, S, V, Z
_USCC = re.compile(rf"[1-9ANY][1-59][0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_VIN = re.compile(r"(?=\d*[A-Z])[A-HJ-NPR-Z0-9]{13}[0-9]{4}")
_VIN_VALUES = {  # GB 16735-2019, from ISO 3779
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def is_id_card(digits: str) -> bool:
    """Whether 18 characters are a citizen identification number: province, real date of birth, check character (GB 11643)."""
    if len(digits) != ID_DIGITS or digits[:2] not in _PROVINCES or not _is_number(digits[:17]) or not is_birthday(digits[6:14]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, digits, strict=False))
    return digits[17] == _ID_CHECK[total % 11]


def is_old_id_card(digits: str) -> bool:
    """Whether 15 digits may be an identity number of before 1999: province and date of birth. There is no check digit."""
    return len(digits) == 15 and _is_number(digits) and digits[:2] in _PROVINCES and is_birthday("19" + digits[6:12])


def is_birthday(digits: str) -> bool:
    """Whether eight digits are a date of the years 1800 to 2099."""
    if digits[:2] not in ("18", "19", "20") or not _is_number(digits):
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def is_bank_card(digits: str) -> bool:
    """Whether 16 to 19 digits are a payment card number: an issuer's first digits and the Luhn check (ISO/IEC 7812-1)."""
    if len(digits) not in CARD_DIGITS or not _is_number(digits) or not _ISSUER.match(digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def is_uscc(code: str) -> bool:
    """Whether 18 characters are a unified social credit code: department, class, region and check character (GB 32100)."""
    if not _USCC.fullmatch(code):
        return False
    total = sum(_USCC_ALPHABET.index(letter) * pow(3, place, 31) for place, letter in enumerate(code[:17]))
    return _USCC_ALPHABET.index(code[17]) == -total % 31


def is_vin(code: str) -> bool:
    """Whether 17 characters are a vehicle identification number with a true check digit, which China prescribes (GB 16735)."""
    if not _VIN.fullmatch(code):
        return False
    total = sum(weight * _VIN_VALUES[letter] for weight, letter in zip(_VIN_WEIGHTS, code, strict=True))
    return code[8] == "0123456789X"[total % 11]


def _is_number(digits: str) -> bool:
    return digits.isascii() and digits.isdigit()
