-- Health of a ScheduledTask, from its conditions. Argo CD runs Lua 5.1 without the string library.
local function condition(kind)
  if obj.status == nil or obj.status.conditions == nil then
    return nil
  end
  for _, known in ipairs(obj.status.conditions) do
    if known.type == kind then
      return known
    end
  end
  return nil
end

local function holds(kind, status)
  local known = condition(kind)
  return known ~= nil and known.status == status
end

local function words(kind)
  local known = condition(kind)
  return (known.reason or kind) .. ": " .. (known.message or "")
end

local status = obj.status or {}
if status.observedGeneration == nil or status.observedGeneration ~= obj.metadata.generation then
  return {
    status = "Progressing",
    message = "No Punctual operator has processed this generation yet: is one running and watching this namespace?",
  }
end
if holds("Stalled", "True") then
  return { status = "Degraded", message = words("Stalled") }
end
if holds("Suspended", "True") then
  return { status = "Suspended", message = words("Suspended") }
end
if holds("Healthy", "False") then
  return { status = "Degraded", message = words("Healthy") }
end
if holds("Reconciling", "True") then
  return { status = "Progressing", message = words("Reconciling") }
end
if holds("Ready", "False") then
  return { status = "Progressing", message = words("Ready") }
end
if holds("Overdue", "True") then
  return { status = "Healthy", message = words("Overdue") }
end
local message = "No further slot"
if status.nextRuns ~= nil and status.nextRuns[1] ~= nil then
  message = "Next run at " .. status.nextRuns[1]
end
return { status = "Healthy", message = message }
