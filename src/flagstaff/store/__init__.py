"""How is it kept? SQLAlchemy Core on SQLite or PostgreSQL; only the services come here."""
