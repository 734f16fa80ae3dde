"""How is a plan written in YAML?"""

from flagstaff.definitions.plans.guards import guards_of
from flagstaff.definitions.plans.reading import (
    ReadPlan,
    Surroundings,
    flag_in,
    parameters_of,
    read_plan,
)
from flagstaff.definitions.plans.templates import Template, default_template, template_names
from flagstaff.definitions.plans.writing import plan_difference, write_plan

__all__ = [
    "ReadPlan",
    "Surroundings",
    "Template",
    "default_template",
    "flag_in",
    "guards_of",
    "parameters_of",
    "plan_difference",
    "read_plan",
    "template_names",
    "write_plan",
]
