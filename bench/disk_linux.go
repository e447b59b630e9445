package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func datasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }

// fileSystemOf returns the kind of a directory's file system, as far as it is known, and its free bytes.
func fileSystemOf(dir string) (kind string, free uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return "", 0, err
	}
	kinds := map[int64]string{
		unix.TMPFS_MAGIC: "tmpfs", unix.RAMFS_MAGIC: "tmpfs", unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs",
		unix.BTRFS_SUPER_MAGIC: "btrfs", unix.OVERLAYFS_SUPER_MAGIC: "overlay",
	}
	return kinds[int64(s.Type)], s.Bavail * uint64(s.Bsize), nil //nolint:unconvert // the type differs between architectures
}
