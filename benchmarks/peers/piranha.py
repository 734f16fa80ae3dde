"""What does Polyglot Piranha make of a flag? `piranha.py FLAG FOLDER`, in its own environment.

It is told the call and what stands in its place; nothing is written.
"""

from __future__ import annotations

import sys

from polyglot_piranha import PiranhaArguments, Rule, RuleGraph, execute_piranha

flag, folder = sys.argv[1:]
rule = Rule(
    name="asked",
    query=f'cs :[holder].is_enabled("{flag}", :[rest])',
    replace_node="*",
    replace="True",
    is_seed_rule=True,
)
arguments = PiranhaArguments(
    "python",
    paths_to_codebase=[folder],
    rule_graph=RuleGraph(rules=[rule], edges=[]),
    dry_run=True,
)
changed = execute_piranha(arguments)
print(f"{flag} in {len(changed)} files, {sum(len(each.rewrites) for each in changed)} times")
