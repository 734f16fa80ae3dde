"""How is a rollout written as a Markdown issue, and how does the issue follow the rollout?"""
