"""Blender: a still blurred by its camera's lens, from the scene's own depth.

    blender -b scene.blend -P blender_bokeh.py -- still.png [options of `defocus render`]

The scene is rendered sharp, and once more as depth: every surface as bright as it is near. Focus
distance and f-number are those of the camera's depth of field; other settings of the lens can be
given as options. Beside Blender's own depth of field the blur can be changed in a second, and has
discs, rings and cat's eyes.
"""

import os
import subprocess
import sys

import bpy

NEAREST = 8  # what is nearer than an eighth of the focus distance blurs no more than what is there
DEFOCUS = os.environ.get("DEFOCUS", "defocus")


def as_bright_as_near(near):
    """Make a material that glows by near / distance: 1 that near and nearer, 0 far away."""
    material = bpy.data.materials.new("disparity")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    camera, divide = nodes.new("ShaderNodeCameraData"), nodes.new("ShaderNodeMath")
    glow, output = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    divide.operation, divide.use_clamp = "DIVIDE", True
    divide.inputs[0].default_value = near
    links.new(camera.outputs["View Z Depth"], divide.inputs[1])
    links.new(divide.outputs[0], glow.inputs["Strength"])
    links.new(glow.outputs[0], output.inputs["Surface"])
    return material


def render(scene, path):
    scene.render.filepath = path
    bpy.ops.render.render(write_still=True)


def main(target, *options):
    scene, layer = bpy.context.scene, bpy.context.view_layer
    camera, settings = scene.camera.data, scene.render.image_settings
    focused = camera.dof.focus_object
    away = scene.camera.matrix_world.translation
    distance = (
        (focused.matrix_world.translation - away).length if focused else camera.dof.focus_distance
    )
    near = distance / NEAREST
    camera.dof.use_dof, settings.file_format = False, "PNG"
    stem = target.rpartition(".")[0]
    still, depth = f"{stem}_sharp.png", f"{stem}_depth.png"
    settings.color_mode, settings.color_depth = "RGB", "16"
    render(scene, still)

    layer.material_override, scene.world = as_bright_as_near(near), None
    scene.view_settings.view_transform = "Raw"
    scene.view_settings.look = "None"
    settings.color_mode = "BW"
    render(scene, depth)

    lens = camera.lens / 1000  # metres
    width = scene.render.resolution_x * scene.render.resolution_percentage / 100
    # radius of the circle of confusion, one whole unit of near / distance away from the focus
    radius = lens**2 / (camera.dof.aperture_fstop * (distance - lens)) * distance / near / 2
    pixels = radius / (camera.sensor_width / 1000) * width
    command = [DEFOCUS, "render", still, "--depth", depth, "--subject", "none"]
    command += ["--out", target, "--overwrite"]  # as Blender's own renderings
    command += ["--focus-range", "0"]
    command += ["--focus", f"{min(1.0, near / distance):.5f}", "--max-coc", f"{pixels:.3f}"]
    subprocess.run([*command, *options], check=True)


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
