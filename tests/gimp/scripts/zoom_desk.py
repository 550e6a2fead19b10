"""Looks at the result at full size, moves it, before beside after; `desk` is the screen."""

dialog = Dialog(desk, "Portrait Bokeh")


def line():
    """Find the line between before and after: a column of one colour."""
    for x in range(300, 420):
        column = desk.area(dialog.window, x, 80, 1, 300)
        size = len(column) // 300
        if len({column[at : at + size] for at in range(0, len(column), size)}) == 1:
            return x
    raise LookupError("no line in the picture")


dialog.at_rest()
desk.screenshot("fit", dialog.window)
dialog.keys("1")
dialog.at_rest()
desk.screenshot("full", dialog.window)
dialog.drag((400, 300), (250, 180))
dialog.at_rest()
desk.screenshot("panned", dialog.window)
desk.click(dialog.window, 493, 445)
dialog.at_rest()
desk.screenshot("split", dialog.window)
dialog.drag((line(), 300), (500, 300))
dialog.at_rest()
desk.screenshot("split-moved", dialog.window)
desk.click(dialog.window, 493, 445)
dialog.keys("0")
dialog.at_rest()
desk.screenshot("fit-again", dialog.window)
desk.window("Portrait Bokeh")
desk.key("alt+o")
desk.wait("made", 200)
