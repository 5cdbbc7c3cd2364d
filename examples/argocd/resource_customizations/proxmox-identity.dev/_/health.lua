-- The conditions are those of kstatus: Ready is always there, Reconciling and Stalled only while they are true. A retry is
-- Reconciling; only what needs a person is Stalled.
local status = obj.status or {}

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local function say(health, condition)
  return { status = health, message = tostring(condition.reason) .. ": " .. tostring(condition.message) }
end

if status.observedGeneration ~= obj.metadata.generation or conditions.Ready == nil then
  return { status = "Progressing", message = "The operator has not looked at this generation yet" }
end
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return say("Degraded", conditions.Stalled)
end
if conditions.Ready.status == "True" then
  return say("Healthy", conditions.Ready)
end
if conditions.Ready.reason == "Suspended" then
  return say("Suspended", conditions.Ready)
end
return say("Progressing", conditions.Ready)
