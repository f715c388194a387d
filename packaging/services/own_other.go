//go:build !linux

package services

import "syscall"

func own() *syscall.SysProcAttr { return nil }

func killGroup(int) {}
