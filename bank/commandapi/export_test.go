package commandapi

// The tests of the room give commands without HTTP, too.
var NewDispatcher = newDispatcher
