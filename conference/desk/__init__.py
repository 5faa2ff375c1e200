"""The organisers' desk: looking up orders and people, putting things right, exporting."""
