"""Where a text quotes: the part that independent stories may share without copying each other."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

MAX_QUOTATION_LENGTH = 3000
"""Code points; a longer stretch between quotation marks is a misplaced mark."""

# Opening marks with their closing ones. An opening mark that is never closed quotes to the end of
# its paragraph: the convention for quotations of several paragraphs.
_PAIRED = re.compile(
    "“[^”\n]*”?|„[^“”\n]*[“”]?|«[^»\n]*»?|»[^«\n]{0,1000}«|”[^”\n]*”|「[^」\n]*」?|『[^』\n]*』?|《[^》\n]*》?"
)
# What must stand before a mark is asked after it, so that the search may leap from mark to mark.
_STRAIGHT = re.compile(r'"(?:(?<=[\s(\[:,—–-]")|(?<![\s\S]"))(?=\S)[^"\n]*(?:"|$)', re.MULTILINE)
# Single marks are apostrophes as well: both ends must stand free, and it must close.
_SINGLE = re.compile(r"[‘'](?<!\w[‘'])(?=\w)([^\n‘]{10,500}?)(?<=[\w.,!?…])[’'](?!\w)")


def quoted_mask(text: str) -> NDArray[np.bool_]:
    """Mark the code points of `text` that stand inside quotation marks; (len(text),) bool."""
    mask = np.zeros(len(text), dtype=np.bool_)
    for pattern in (_PAIRED, _STRAIGHT, _SINGLE):
        for quotation in pattern.finditer(text):
            if quotation.end() - quotation.start() <= MAX_QUOTATION_LENGTH:
                mask[quotation.start() : quotation.end()] = True
    return mask
