"""The benchmarks: `python -m bench [NAME …]`, which `make bench` calls after its set-up.

Each runs on SQLite and then on PostgreSQL. Those about speed start the real web server and send
requests to it, in turn with requests to a bare view (bench/bare): the least that Django can do,
on a server of the same kind. Requests per second differ between machines and hours. The share
of the bare view's rate hardly does, so most targets are such shares.

    client      HTTP requests that cost little processor time
    programs    starts and ends what is measured; memory and processor time of processes
    databases   SQLite and PostgreSQL, a fresh database for each site
    stage       the sites to measure, and the bare server
    comparing   load in turn, and the figures that come of it
    targets     what each bench must reach
    booking, paying, scanning, pages, printing, exporting, footprint   the benches
    data, renders   parts of them that need Django; they run in the site's settings by `within`
"""
