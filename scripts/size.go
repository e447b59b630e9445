//go:build ignore

// Size prints, for each package of the repository, its lines of Go and its largest
// file and function. Generated files are left out; "code" leaves out comments and
// blank lines too.
//
//	go run scripts/size.go
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// largest is the longest of several named things.
type largest struct {
	name  string
	lines int
}

func (l *largest) see(name string, lines int) {
	if lines > l.lines {
		*l = largest{name, lines}
	}
}

func (l largest) String() string {
	if l.lines == 0 {
		return "-"
	}
	return fmt.Sprintf("%s %d", l.name, l.lines)
}

// size is what one package holds. File and function are the largest outside tests.
type size struct {
	path                      string
	files, lines, code, tests int
	file, function            largest
}

func main() {
	packages, err := measure(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
	table(packages)
}

func measure(root string) (map[string]*size, error) {
	packages := map[string]*size{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (name == "bin" || name == "testdata" || strings.HasPrefix(name, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		dir := filepath.Dir(path)
		if packages[dir] == nil {
			packages[dir] = &size{path: dir}
		}
		return packages[dir].add(path)
	})
	return packages, err
}

// add counts one file.
func (s *size) add(path string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if ast.IsGenerated(file) {
		return nil
	}
	lines := files.File(file.FileStart).LineCount() - 1 // the last one is what follows the last newline
	if strings.HasSuffix(path, "_test.go") {
		s.tests += lines
		return nil
	}
	s.files++
	s.lines += lines
	s.code += codeLines(source)
	s.file.see(filepath.Base(path), lines)
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			from, to := files.Position(function.Pos()).Line, files.Position(function.End()).Line
			s.function.see(functionName(function), to-from+1)
		}
	}
	return nil
}

// codeLines counts the lines on which a token other than a comment stands.
func codeLines(source []byte) int {
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, 0)
	seen := map[int]bool{}
	for {
		position, kind, literal := s.Scan()
		if kind == token.EOF {
			return len(seen)
		}
		if kind == token.SEMICOLON && literal == "\n" {
			continue // put in by the scanner
		}
		first := file.Line(position)
		for line := range strings.Count(literal, "\n") + 1 {
			seen[first+line] = true
		}
	}
}

func functionName(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return function.Name.Name
	}
	receiver := function.Recv.List[0].Type
	for {
		switch inner := receiver.(type) {
		case *ast.StarExpr:
			receiver = inner.X
		case *ast.IndexExpr:
			receiver = inner.X
		case *ast.IndexListExpr:
			receiver = inner.X
		case *ast.Ident:
			return inner.Name + "." + function.Name.Name
		default:
			return function.Name.Name
		}
	}
}

func table(packages map[string]*size) {
	total := size{path: "total"}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "package\tfiles\tlines\tcode\ttest lines\tlargest file\tlargest function")
	for _, path := range slices.Sorted(maps.Keys(packages)) {
		s := packages[path]
		if s.files == 0 && s.tests == 0 {
			continue // generated files alone
		}
		fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%d\t%s\t%s\n", s.path, s.files, s.lines, s.code, s.tests, s.file, s.function)
		total.files += s.files
		total.lines += s.lines
		total.code += s.code
		total.tests += s.tests
		total.file.see(filepath.Join(s.path, s.file.name), s.file.lines)
		total.function.see(filepath.Join(s.path, s.function.name), s.function.lines)
	}
	fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%d\t%s\t%s\n", total.path, total.files, total.lines, total.code, total.tests, total.file, total.function)
	out.Flush()
}
