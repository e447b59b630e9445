//go:build !linux && !darwin

package storagenode

func openFiles() int { return mostOpenFiles }
