package speech

import (
	"os/exec"
	"syscall"
)

// hide keeps a program of the console from opening a window.
func hide(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true} }
