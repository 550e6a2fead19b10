"""The expendable process: hosts `bokeh_core`, its device and the cache."""
