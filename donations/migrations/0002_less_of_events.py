import json

from django.db import migrations, models


def keep_what_is_asked_about(apps, schema_editor):
    """Copy the two ids out of the stored bodies of events."""
    event_model = apps.get_model("donations", "StripeEvent")
    for event in event_model.objects.iterator():
        about = (json.loads(event.body).get("data") or {}).get("object") or {}
        is_intent = about.get("object") == "payment_intent"
        event.about_id = about.get("id") or ""
        event.payment_intent_id = (about.get("id" if is_intent else "payment_intent")) or ""
        event.save(update_fields=["about_id", "payment_intent_id"])


class Migration(migrations.Migration):
    dependencies = [
        ("donations", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="stripeevent",
            name="about_id",
            field=models.CharField(blank=True, default="", max_length=255),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="stripeevent",
            name="payment_intent_id",
            field=models.CharField(blank=True, default="", max_length=255),
            preserve_default=False,
        ),
        migrations.RunPython(keep_what_is_asked_about, migrations.RunPython.noop),
        migrations.RemoveField(model_name="stripeevent", name="body"),
        migrations.RemoveField(model_name="stripeevent", name="attempts"),
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(
                condition=models.Q(("outcome", "not ours")),
                fields=["payment_intent_id"],
                name="event_not_ours",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="is_by_hand",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="refund",
            name="reason",
            field=models.CharField(
                choices=[
                    ("no places", "Paid after the places were gone"),
                    ("paid twice", "Paid twice"),
                    ("asked", "Asked for"),
                    ("at stripe", "Made on Stripe's own pages"),
                    ("disputed", "Taken back by the giver's bank"),
                ],
                max_length=12,
            ),
        ),
    ]
