from django.db import migrations, models


def keep_the_rights_of_organisers(apps, schema_editor):
    """Who could use the settings still may; nobody is a superuser any more.

    Every organiser was one, and it gave them nothing that `may_configure` does not give. As a
    superuser an account is now out of reach of the other organisers, which is to be decided for
    each: `manage.py createsuperuser`.
    """
    User = apps.get_model("conference", "User")
    User.objects.exclude(role="organiser", is_superuser=True).update(may_configure=False)
    User.objects.update(is_superuser=False)


class Migration(migrations.Migration):
    dependencies = [("conference", "0006_restores")]

    operations = [
        migrations.RenameField("user", "is_staff", "may_configure"),
        migrations.AlterField(
            model_name="user",
            name="may_configure",
            field=models.BooleanField(
                default=False,
                help_text="For organisers: these pages, and who may log in.",
                verbose_name="may change the settings",
            ),
        ),
        migrations.RunPython(keep_the_rights_of_organisers, migrations.RunPython.noop),
    ]
