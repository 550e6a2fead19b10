"""Selections, blending, groups, the small tools, the docker, refusals, and a daemon that fails."""


def select(document, x, y, width, height):
    chosen = Selection()
    chosen.select(x, y, width, height, 255)
    document.setSelection(chosen)


def projection(document):
    document.refreshProjection()
    document.waitForDone()
    return bytes(document.pixelData(0, 0, document.width(), document.height()))


def scene_selection():
    document = yield from document_of("small.png")
    source = document.activeNode()
    keep("selection.before", projection(document))
    select(document, 0, 0, 60, 120)
    yield from rendered(document, source, f_number=1.0)
    facts["selection"] = tree(document)
    keep("selection.after", projection(document))
    facts["selection stays"] = document.selection().width()
    close(document)


def scene_blended():
    document = yield from document_of("small.png")
    source = document.activeNode()
    source.setOpacity(128)
    source.setBlendingMode("screen")
    keep("blended.before", projection(document))
    group = yield from rendered(document, source, f_number=1.0)
    layer = group.layer
    facts["blended"] = [layer.opacity(), layer.blendingMode(), layer.visible(), source.visible()]
    keep("blended.after", projection(document))
    select(document, 0, 0, 60, 120)
    close(document)

    document = yield from document_of("small.png")
    source = document.activeNode()
    source.setOpacity(128)
    select(document, 0, 0, 60, 120)
    keep("rest.before", projection(document))
    yield from rendered(document, source, f_number=1.0)
    facts["rest"] = tree(document)
    keep("rest.after", projection(document))
    close(document)


def scene_nested():
    document = yield from document_of("small.png")
    source = document.activeNode()
    outer = document.createGroupLayer("outer")
    copy = source.duplicate()
    copy.setName("photo")
    outer.setChildNodes([copy])
    document.rootNode().addChildNode(outer, source)
    yield from rendered(document, copy)
    facts["nested"] = tree(document)
    # a whole group is a picture too
    yield from rendered(document, outer)
    facts["a group"] = tree(document)
    close(document)


def scene_tools():
    document = yield from document_of("small.png")
    source = document.activeNode()
    trigger("select_subject")
    yield from quiet()
    keep("tools.selection", bytes(document.selection().pixelData(0, 0, 120, 120)))
    document.setSelection(None)
    trigger("depth_map")
    yield from quiet()
    facts["depth map"] = tree(document)
    keep("tools.depth", read(named(document, "Depth map"), source.bounds()))
    named(document, "Depth map").remove()
    document.setActiveNode(source)

    trigger("focus_here")
    facts["focus without a group"] = yield from message()
    group = yield from rendered(document, source)
    facts["focus before"] = group.record.parameters.focus
    select(document, 96, 12, 12, 24)
    document.setActiveNode(group.member("depth"))
    trigger("focus_here")
    yield from quiet()
    from krita_plugin import group as groups

    group = groups.find(document, named(document, "Composite"))
    chosen = group.record.parameters
    facts["focus"] = [chosen.focus, chosen.focus_x, chosen.focus_y]

    # the painted Mask is what is selected
    write(group.member("mask"), bytes([255] * 4) * 14400, 0, 0, 120, 120)
    document.setActiveNode(group.layer)
    trigger("select_subject")
    yield from quiet()
    facts["painted selection"] = set(bytes(document.selection().pixelData(0, 0, 120, 120))) == {255}

    trigger("settings")
    window = yield from until(lambda: of_kind("StatusWindow"), 20, "the status")
    yield from until(lambda: "Daemon: running" in window.text(), 20, "the daemon's state")
    yield from shot("krita-settings")
    facts["status"] = window.text()
    window.close()
    close(document)


def scene_docker():
    document = yield from document_of()
    panel = next(d for d in app.dockers() if d.objectName() == "defocus_bokeh")
    panel.setVisible(True)
    panel.setFloating(True)
    panel.setGeometry(700, 60, 400, 690)
    QTest.mouseClick(panel.take, Qt.LeftButton)
    yield from until(lambda: "composite" in panel.panel.preview._pictures, 60, "a preview")
    yield from spin(0.5)
    panel.grab().save(os.path.join(OUT, "krita-docker.png"))
    QTest.mouseClick(panel.render, Qt.LeftButton)
    facts["docker is busy"] = panel.render.text()
    yield from until(lambda: len(tree(document)) > 1, 120, "the group")
    facts["docker made"] = tree(document)
    # and again, now cancelled
    yield from until(lambda: "composite" in panel.panel.preview._pictures, 60, "a preview")
    before = read(named(document, "Composite"))
    panel.panel.settings.widgets["f_number"].box.setValue(1.0)
    QTest.mouseClick(panel.render, Qt.LeftButton)
    QTest.mouseClick(panel.render, Qt.LeftButton)
    yield from quiet()
    facts["docker cancelled"] = [
        panel.render.text(),
        panel.panel.progress.isVisible(),
        read(named(document, "Composite")) == before,
    ]
    # the picture is closed while a preview is being computed
    close(document)
    yield from until(lambda: not panel.panel.is_open, 60, "the docker to let go")
    facts["docker let go"] = panel.panel.preview.words.text()
    panel.setFloating(False)
    panel.setVisible(False)


def scene_cancelled():
    """The dialog is closed while the result is being computed."""
    document = yield from document_of()
    trigger("bokeh")
    window = yield from dialog()
    yield from result_in(window)
    window.panel.settings.widgets["f_number"].box.setValue(1.2)
    press(window, "Ok")
    yield from until(window.panel.progress.isVisible, 20, "the progress")
    press(window, "Cancel")
    yield from quiet()
    yield from spin(1)
    facts["cancelled in the dialog"] = tree(document)
    close(document)


def scene_refused():
    facts["refused"] = {}

    def complaint(name):
        trigger("bokeh")
        facts["refused"][name] = yield from message()

    document = yield from document_of("small.png", "CMYKA", "U8", "")
    yield from complaint("CMYK")
    close(document)
    document = yield from document_of("small.png")
    empty = document.createNode("nothing", "paintlayer")
    document.rootNode().addChildNode(empty, None)
    yield from until(lambda: document.activeNode().name() == "nothing", 20, "the empty layer")
    yield from complaint("empty")
    from krita_plugin import record

    document.setActiveNode(named(document, "Background"))
    yield from until(lambda: document.activeNode().name() == "Background", 20, "the photo")
    document.setAnnotation(record.KEY, "", QByteArray(b"{"))
    yield from complaint("damaged")
    close(document)
    yield from until(lambda: app.activeDocument() is None, 20, "the end of the last document")
    trigger("rerender")
    facts["refused"]["nothing open"] = yield from message()


def scene_changed():
    """The picture is painted on, or closed, while its blur is computed."""
    from daemon.light.parameters import Parameters
    from krita_plugin import actions
    from krita_plugin.rendering import Snapshot

    document = yield from document_of("small.png")
    source = document.activeNode()
    actions.render(Snapshot.of(document, source), Parameters())
    write(source, bytes(400), 0, 0, 10, 10)
    facts["changed"] = [(yield from message()), tree(document)]
    actions.render(Snapshot.of(document, source), Parameters(f_number=1.1))
    close(document)
    facts["closed"] = yield from message()


def scene_failing():
    folders = json.load(open(os.path.join(OUT, "folders.json")))
    usual = os.environ["DEFOCUS_RUNTIME_DIR"]
    document = yield from document_of("small.png")
    source = document.activeNode()
    before = read(source)
    for name, folder in folders.items():
        os.environ["DEFOCUS_RUNTIME_DIR"] = folder
        trigger("depth_map")
        facts[name] = yield from message()
    os.environ["DEFOCUS_RUNTIME_DIR"] = usual
    facts["unchanged"] = [tree(document), read(source) == before]
    trigger("depth_map")
    yield from quiet()
    facts["works again"] = tree(document)
    close(document)
