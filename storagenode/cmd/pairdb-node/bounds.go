package main

import (
	"context"
	"fmt"
	"net"
	"time"
)

func (s *settings) validateListen() error {
	_, port, err := net.SplitHostPort(s.listen)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(context.Background(), "tcp", port)
	}
	if err != nil {
		return fmt.Errorf("--listen is %q: %w; give host:port, such as :7001", s.listen, err)
	}
	return nil
}

// validateBounds refuses by the flag's name what the library would refuse by its
// own names, and the zeros that it would take for its defaults.
func (s *settings) validateBounds() error {
	for _, c := range []struct {
		bad   bool
		flag  string
		value any
		bound string
	}{
		{len(s.cluster) > 128, "cluster", s.cluster, "at most 128 bytes"},
		{len(s.node) > 128, "node", s.node, "at most 128 bytes"},
		{s.cacheMiB < 1 || s.cacheMiB > 1<<30, "cache-mib", s.cacheMiB, "at least 1"},
		{s.maxValue < 1 || s.maxValue > 16<<20, "max-value", s.maxValue, "between 1 and 16777216 (16 MiB)"},
		{s.maxSiblings < 1 || s.maxSiblings > 1024, "max-siblings", s.maxSiblings, "between 1 and 1024"},
		{s.skew < time.Millisecond || s.skew > time.Hour, "skew", s.skew, "between 1ms and 1h"},
		{s.window < 2*s.skew || s.window > 24*time.Hour, "window", s.window, "between twice --skew and 24h"},
		{s.retention < s.window, "retention", s.retention, "no less than --window"},
	} {
		if c.bad {
			return fmt.Errorf("--%s is %v; it must be %s", c.flag, c.value, c.bound)
		}
	}
	return nil
}
