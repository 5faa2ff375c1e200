"""The site's own pages: home, log-in, the trial's outbox, the settings."""
