"""Metadata fusion: every statement of a page as a claim, and the value that is believed.

`read_facts` gathers what the tree states; `read_metadata` judges it, with the lines of the text.
Nothing here knows how the text was found.
"""

from .fusion import read_metadata
from .page import PageFacts, read_facts
from .titles import headline_variants, title_claims

__all__ = ["PageFacts", "headline_variants", "read_facts", "read_metadata", "title_claims"]
