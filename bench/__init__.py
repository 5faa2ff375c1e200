"""The benchmarks: `python -m bench [NAME …]`, which `make bench` calls after its set-up.

Every one starts the real web server with two workers and drives it over HTTP, on SQLite and then
on PostgreSQL. In turn with it goes a bare view on a server of the same kind (bench/bare): what the
machine gives at best, at the same moment. Absolute figures differ between machines and hours,
the share of the bare view's rate hardly does.

    client      HTTP with little of the processor    programs   starts and ends what is measured
    databases   SQLite, PostgreSQL, fresh copies     stage      sites to measure, the bare server
    comparing   rounds in turn, and their figures    targets    what each bench must reach
    data, renders   called in the settings of a site, by `inside`
    booking, paying, scanning, pages, printing, exporting, footprint: the benches themselves
"""
