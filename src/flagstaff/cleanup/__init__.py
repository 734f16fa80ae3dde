"""Where is a flag used, and how is it removed?"""

from flagstaff.cleanup.branch import Author, BranchResult, write_branch
from flagstaff.cleanup.changes import (
    CleanupPlan,
    FileChange,
    OldJob,
    Reference,
    ReferenceKind,
    Residue,
    diff_text,
)
from flagstaff.cleanup.patterns import CallPattern, Conventions
from flagstaff.cleanup.plan import CleanupRequest, plan_cleanup, plan_in
from flagstaff.cleanup.references import find_references, references_in
from flagstaff.cleanup.tree import GitTree, MemoryTree, Tree

__all__ = [
    "Author",
    "BranchResult",
    "CallPattern",
    "CleanupPlan",
    "CleanupRequest",
    "Conventions",
    "FileChange",
    "GitTree",
    "MemoryTree",
    "OldJob",
    "Reference",
    "ReferenceKind",
    "Residue",
    "Tree",
    "diff_text",
    "find_references",
    "plan_cleanup",
    "plan_in",
    "references_in",
    "write_branch",
]
