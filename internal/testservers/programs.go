package testservers

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// debianPostgres is where Debian's packages put the programs, which they keep out of PATH.
const debianPostgres = "/usr/lib/postgresql/*/bin"

type postgresPrograms struct{ initdb, postgres string }

// findPostgres looks into PATH, and then into the directories of pattern, the greatest version first.
func findPostgres(pattern string) (postgresPrograms, error) {
	dirs, _ := filepath.Glob(pattern) // the pattern is well formed
	slices.SortFunc(dirs, func(a, b string) int { return versionOf(b) - versionOf(a) })
	for _, dir := range append([]string{""}, dirs...) {
		initdb, err := lookUp(dir, "initdb")
		if err != nil {
			continue
		}
		if postgres, err := lookUp(dir, "postgres"); err == nil {
			return postgresPrograms{initdb: initdb, postgres: postgres}, nil
		}
	}
	return postgresPrograms{}, missing("initdb and postgres", "postgresql")
}

func lookUp(dir, program string) (string, error) {
	if dir == "" {
		return exec.LookPath(program)
	}
	return exec.LookPath(filepath.Join(dir, program))
}

// versionOf reads the 15 of /usr/lib/postgresql/15/bin.
func versionOf(dir string) int {
	v, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))) // one without a number comes last
	return v
}

func findRedis() (string, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return "", missing("redis-server", "redis-server")
	}
	return program, nil
}
