"""How does a rollout look on an application that really runs?"""
