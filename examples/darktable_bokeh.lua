--[[ darktable: the button "bokeh" among the actions on selected images (lighttable).

Copy this file into darktable's lua folder (~/.config/darktable/lua) and add the line
require "darktable_bokeh" to its luarc. Each image is exported as it is developed, 16 bits, then
blurred; the result is imported beside it, in one group with it.
]]

local dt = require "darktable"
local DEFOCUS = os.getenv("DEFOCUS") or "defocus"
local OPTIONS = "--preset natural" -- any of `defocus photo --help`

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function blur(images)
  for _, image in ipairs(images) do
    local name = image.path .. "/" .. image.filename:gsub("%.[^.]*$", "")
    local developed, result = name .. "_developed.tif", name .. "_bokeh.tif"
    local format = dt.new_format("tiff")
    format.bpp = 16
    format:write_image(image, developed)
    local words = { DEFOCUS, "photo", quoted(developed), "--out", quoted(result), "--overwrite", "--quiet", OPTIONS }
    local status = dt.control.execute(table.concat(words, " "))
    os.remove(developed)
    if status == 0 then
      dt.database.import(result):group_with(image)
    else
      dt.print(image.filename .. ": bokeh failed; start darktable in a terminal to see why")
    end
  end
end

dt.gui.libs.image.register_action("bokeh", "bokeh", function(_, images) blur(images) end,
  "blur behind the subject as a lens does")

return blur
