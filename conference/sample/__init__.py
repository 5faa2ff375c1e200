"""What `manage.py demo` fills a trial with."""
