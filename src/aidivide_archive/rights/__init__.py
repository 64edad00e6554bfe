"""What a page states about its own use, and what follows for keeping and passing on. Pure.

A statement is kept as it stands (`statements`); what it means is decided in one place (`rule`), each time anew, so that
another policy needs no second visit.
"""

from aidivide_archive.rights.directives import product_token
from aidivide_archive.rights.licences import RIGHTS_RESERVED, is_open_licence, speaks_of_parts
from aidivide_archive.rights.rule import (
    FORBIDS,
    Reservation,
    Reserved,
    Sharing,
    Use,
    reserved,
    sharing,
    withheld_reason,
)
from aidivide_archive.rights.statements import (
    MAX_STATEMENT_CHARS,
    MAX_STATEMENTS,
    MAX_TDMREP_BYTES,
    Statement,
    as_stored,
    from_stored,
    header_statements,
    meta_statements,
    tdmrep_statements,
)

__all__ = [
    "FORBIDS",
    "MAX_STATEMENTS",
    "MAX_STATEMENT_CHARS",
    "MAX_TDMREP_BYTES",
    "RIGHTS_RESERVED",
    "Reservation",
    "Reserved",
    "Sharing",
    "Statement",
    "Use",
    "as_stored",
    "from_stored",
    "header_statements",
    "is_open_licence",
    "meta_statements",
    "product_token",
    "reserved",
    "sharing",
    "speaks_of_parts",
    "tdmrep_statements",
    "withheld_reason",
]
