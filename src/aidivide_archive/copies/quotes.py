"""Where a text quotes: the part that independent stories may share without copying each other."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

MAX_QUOTATION_LENGTH = 3000
"""Code points; a longer stretch between quotation marks is a misplaced mark."""

# Opening marks with their closing ones; outlets mix curly and straight ones. A mark that is never
# closed quotes to the end of its paragraph if it begins that paragraph or another begins the next:
# the convention for quotations of several paragraphs. Any other has lost its closing mark, and
# nobody can say where that stood.
_NEXT = r"(?=\n\s*+[\"“„«»「『‘'])"
_BEGINS = r"(?<![^\n])"
_PAIRED = re.compile(
    f'“[^“”"\n]*+(?:[”"]|{_NEXT})|„[^„“”\n]*+(?:[“”]|{_NEXT})|«[^«»\n]*+(?:»|{_NEXT})'
    f"|»[^«\n]{{0,1000}}«|”[^”\n]*”|「[^「」\n]*+(?:」|{_NEXT})|『[^『』\n]*+(?:』|{_NEXT})"
    f"|《[^《》\n]*+》|{_BEGINS}[“„«「『][^\n]*"
)
# What must stand before a mark is asked after it, so that the search may leap from mark to mark.
_STRAIGHT = re.compile(
    r'"(?:(?<=[\s(\[:,—–-]")|(?<![\s\S]"))(?=\S)'
    rf'(?:[^"”\n]*+(?:["”]|{_NEXT})|(?<![^\n]")[^\n]*)'
)
# Single marks are apostrophes as well: both ends must stand free, and it must close.
_SINGLE = re.compile(r"[‘'](?<!\w[‘'])(?=\w)([^\n‘]{10,500}?)(?<=[\w.,!?…])[’'](?!\w)")
_SINGLE_OPEN = re.compile(rf"{_BEGINS}‘(?=\w)(?:[^\n’]|’(?=\w))++(?![^\n])")


def quoted_mask(text: str) -> NDArray[np.bool_]:
    """Mark the code points of `text` that stand inside quotation marks; (len(text),) bool."""
    mask = np.zeros(len(text), dtype=np.bool_)
    for pattern in (_PAIRED, _STRAIGHT, _SINGLE, _SINGLE_OPEN):
        for quotation in pattern.finditer(text):
            if quotation.end() - quotation.start() <= MAX_QUOTATION_LENGTH:
                mask[quotation.start() : quotation.end()] = True
    return mask
