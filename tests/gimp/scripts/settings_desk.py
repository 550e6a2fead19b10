"""Sets the memory and the start at log-in by their letters; `desk` is the screen."""

window = desk.window("Bokeh Settings")
time.sleep(2)
desk.key("alt+m", "ctrl+a", "5", "1", "2", "Tab")
desk.key("alt+l")
desk.screenshot("chosen", window)
desk.key("alt+a")
time.sleep(2)
desk.screenshot("set", window)
desk.key("alt+c")
desk.wait("done", 60)
