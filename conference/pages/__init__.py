"""The site's own pages: the first one, log-in, the trial's outbox, the settings."""
