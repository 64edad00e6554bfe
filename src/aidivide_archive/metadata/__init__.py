"""Metadata fusion: every statement of a page as a claim, and the value that is believed.

`read_facts` gathers what the tree states; `read_metadata` judges it, with the lines of the text.
Nothing here knows how the text was found.
"""

from aidivide_archive.metadata.about import load_language_model
from aidivide_archive.metadata.fusion import read_metadata
from aidivide_archive.metadata.page import PageFacts, read_facts
from aidivide_archive.metadata.titles import headline_variants, title_claims

__all__ = [
    "PageFacts",
    "headline_variants",
    "load_language_model",
    "read_facts",
    "read_metadata",
    "title_claims",
]
