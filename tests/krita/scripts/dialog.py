"""One user's afternoon: menu, dialog, click, views, OK, undo, painting, re-render, save, reopen."""


def scene():
    bar = app.activeWindow().qwindow().menuBar()
    menu = next(a for a in bar.actions() if "ool" in a.text()).menu()
    scripts = next(a for a in menu.actions() if a.menu() and "cripts" in a.text()).menu()
    facts["menu"] = [a.text().replace("&", "") for a in scripts.actions() if "Bokeh" in a.text()]

    document = yield from document_of()
    source = document.activeNode()
    facts["opened"] = tree(document)
    untouched = read(source)

    # Cancel
    trigger("bokeh")
    window = yield from dialog()
    yield from result_in(window)
    yield from shot("krita-dialog")
    facts["geometry"] = [window.x(), window.y(), window.width(), window.height()]
    settings = window.panel.settings
    row = settings.presets
    said = [row.list.currentText()]
    row.list.setCurrentIndex(row.list.findData("dreamy"))
    said.append(row.list.currentText())
    row.save("Ulla")
    said.append(row.list.currentText())
    settings.widgets["f_number"].box.setValue(3.3)
    said.append(row.list.currentText())
    yield from spin(0.5)
    yield from shot("krita-preset")
    row.list.setCurrentIndex(row.list.findData("Ulla"))
    said.append(settings.parameters.f_number)
    row.delete.click()
    said.append(row.list.currentText())
    said.append(sorted(row.own))
    facts["presets"] = said
    press(window, "Cancel")
    yield from spin(0.5)
    facts["cancelled"] = tree(document)

    # a click, the views, OK, one Undo
    trigger("bokeh")
    window = yield from dialog()
    yield from result_in(window)
    before = picture(window)
    canvas = window.panel.preview.canvas
    place = canvas._place()
    at = QPoint(int(place.left() + 0.85 * place.width()), int(place.top() + 0.2 * place.height()))
    QTest.mouseClick(canvas, Qt.LeftButton, Qt.NoModifier, at)
    yield from until(lambda: picture(window) != before, 60, "the result of the click")
    facts["parameters"] = window.panel.settings.parameters.record()
    yield from spin(1)
    yield from shot("krita-focus")
    views = {}
    for view in ("original", "matte", "depth", "composite"):
        QTest.mouseClick(window.panel.preview.buttons[view], Qt.LeftButton)
        yield from spin(0.2)
        views[view] = picture(window)
        yield from shot(f"krita-{view}")
    facts["views"] = len(set(views.values()))
    press(window, "Ok")
    yield from until(lambda: len(tree(document)) > 1, 120, "the group")
    yield from shot("krita-layers")
    facts["made"] = tree(document)
    facts["active"] = document.activeNode().name()
    facts["visible"] = [named(document, n).visible() for n in ("Composite", "Mask", "Depth")]
    yield from undo()
    facts["undone"] = [tree(document), read(source) == untouched]

    # paint the Mask, then Re-render; all is found again whatever it is called and wherever it is
    group = yield from rendered(document, source, f_number=1.4)
    first = read(group.member("composite"))
    mask = group.member("mask")
    write(mask, bytes([255]) * (4 * 60 * 60), 10, 10, 60, 60)
    mask.setName("what I painted")
    group.layer.setName("renamed")
    document.setActiveNode(mask)
    trigger("rerender")
    yield from quiet()
    second = read(named(document, "Composite"))
    inside = [4 * (512 * 40 + 40), 4 * (512 * 40 + 41)]
    facts["painting changed"] = first != second
    facts["painted is sharp"] = second[slice(*inside)] == read(source)[slice(*inside)]
    facts["re-rendered"] = tree(document)
    yield from shot("krita-rerendered")
    yield from undo()
    yield from undo()
    facts["twice undone"] = [tree(document), read(named(document, "Composite")) == first]
    document.setActiveNode(group.layer)
    trigger("rerender")
    yield from quiet()
    facts["again the same"] = read(named(document, "Composite")) == second

    # a Composite that was painted on stays
    composite = named(document, "Composite")
    write(composite, bytes([0, 0, 255, 255]) * 100, 0, 0, 10, 10)
    document.setActiveNode(composite)
    trigger("rerender")
    yield from quiet()
    facts["by hand"] = tree(document)
    kept = named(document, "Composite, painted by hand")
    facts["by hand is hidden"] = [kept.visible(), read(kept)[:4] == bytes([0, 0, 255, 255])]
    kept.remove()

    # out of its group, saved, opened, rendered again
    path = os.path.join(OUT, "kept.kra")
    document.setBatchmode(True)
    facts["saved"] = document.saveAs(path)
    close(document)
    reopened = yield from document_of("kept.kra")
    facts["reopened"] = tree(reopened)
    reopened.setActiveNode(named(reopened, "what I painted"))
    trigger("bokeh")
    window = yield from dialog()
    yield from result_in(window)
    facts["its settings"] = window.panel.settings.parameters.f_number
    press(window, "Ok")
    yield from until(lambda: of_kind("Dialog") is None, 120, "the end of the dialog")
    facts["reopened the same"] = read(named(reopened, "Composite")) == second
    close(reopened)
