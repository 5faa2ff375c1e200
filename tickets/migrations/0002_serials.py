from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="serial",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.RunSQL(
            "UPDATE tickets_ticket SET serial = counted.serial FROM ("
            "SELECT id, ROW_NUMBER() OVER (PARTITION BY ticket_type_id ORDER BY id) AS serial "
            "FROM tickets_ticket) AS counted WHERE counted.id = tickets_ticket.id",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="ticket",
            name="serial",
            field=models.PositiveIntegerField(),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.UniqueConstraint(
                fields=("ticket_type", "serial"), name="ticket_serial_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("serial__gte", 1)), name="ticket_serial_from_one"
            ),
        ),
    ]
