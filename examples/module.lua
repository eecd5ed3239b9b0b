-- A module for Lmod: `module load solver` puts a wrapper (examples/wrapper.sh, linked as `solver`) before the application.
help([[Solver, counted by Seatledger.]])
whatis("Name: solver")

local root = "/opt/solver"
local wrappers = "/opt/seatledger/bin"

prepend_path("PATH", pathJoin(root, "bin"))
prepend_path("PATH", wrappers)
setenv("SEATLEDGER_TO", "http://seats:8088")
setenv("SEATLEDGER_TOKEN_FILE", "/etc/seatledger/token")
