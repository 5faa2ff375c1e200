from django.db import migrations, models
from django.db.models import F


def count_by_address(apps, schema_editor):
    """Mails of before count by the address as it is written."""
    apps.get_model("conference", "Mail").objects.update(inbox=F("to"))


class Migration(migrations.Migration):
    dependencies = [("conference", "0004_changed_at")]

    operations = [
        migrations.AddField(
            model_name="mail",
            name="inbox",
            field=models.CharField(blank=True, default="", max_length=254),
            preserve_default=False,
        ),
        migrations.RunPython(count_by_address, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(fields=["inbox", "-created_at"], name="mail_inbox"),
        ),
    ]
