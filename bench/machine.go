package main

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/devrev/pairdb/bench/child"
	"github.com/devrev/pairdb/bench/report"
)

func thisMachine(fileSystem string) report.Machine {
	return report.Machine{
		Cores: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0), Servers: child.Procs(), CPU: cpuModel(),
		System: runtime.GOOS + "/" + runtime.GOARCH, Kernel: kernel(), FileSystem: fileSystem,
	}
}

var modelName = regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`)

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	if found := modelName.FindSubmatch(text); found != nil {
		return string(found[1])
	}
	return ""
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return "kernel " + strings.TrimSpace(string(release))
}

// versionedModules are the modules whose versions matter to the figures.
var versionedModules = map[string]string{
	"google.golang.org/grpc":           "gRPC",
	"github.com/cockroachdb/pebble/v2": "Pebble",
	"go.etcd.io/etcd/server/v3":        "etcd",
	"github.com/redis/go-redis/v9":     "go-redis",
}

// versions tells what was measured, as far as it can be found out.
func versions() map[string]string {
	list := map[string]string{"Go": strings.TrimPrefix(runtime.Version(), "go")}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if name := versionedModules[m.Path]; name != "" {
				list[name] = strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	if out, err := exec.Command("redis-server", "--version").Output(); err == nil {
		if found := redisVersion.FindSubmatch(out); found != nil {
			list["Redis"] = string(found[1])
		}
	}
	if out, err := exec.Command("git", "describe", "--always", "--dirty", "--exclude=*").Output(); err == nil {
		list["pairdb"] = strings.TrimSpace(string(out))
	}
	return list
}

var redisVersion = regexp.MustCompile(`v=([0-9.]+)`)
