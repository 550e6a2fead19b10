"""Nobody sits at the desk: the script in GIMP does all by itself."""

desk.wait("done", 330)
