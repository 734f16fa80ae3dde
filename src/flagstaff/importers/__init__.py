"""What does another system's export say, and what becomes of it here?"""

from flagstaff.importers.actors import read_actors, sample_actors
from flagstaff.importers.compare import Comparison, compare
from flagstaff.importers.detect import FORMATS, read_export
from flagstaff.importers.model import Export, Fate, ImportedFlag, Loss, Taken
from flagstaff.importers.writing import definition_file

__all__ = [
    "FORMATS",
    "Comparison",
    "Export",
    "Fate",
    "ImportedFlag",
    "Loss",
    "Taken",
    "compare",
    "definition_file",
    "read_actors",
    "read_export",
    "sample_actors",
]
