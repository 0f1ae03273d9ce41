package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const maxNames = 1000

// names is a bounded set of label values from the configuration. A configuration has
// few, but a key source, or reloads over months, can produce any number.
type names struct {
	held atomic.Pointer[map[string]bool]
	mu   sync.Mutex
}

// known returns the name, or "other" if the set is full.
func (n *names) known(name string) string {
	if name == "" {
		return ""
	}
	held := n.held.Load()
	if held != nil && (*held)[name] {
		return name
	}
	if held != nil && len(*held) >= maxNames {
		return "other"
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	next := map[string]bool{}
	if held = n.held.Load(); held != nil {
		if len(*held) >= maxNames && !(*held)[name] {
			return "other"
		}
		next = maps.Clone(*held)
	}
	next[name] = true
	n.held.Store(&next)
	return name
}

// labels are one set of attributes.
type labels interface {
	comparable
	attributes() []attribute.KeyValue
}

type (
	codeLabels  struct{ environment, mode, scheme, code string }
	apiLabels   struct{ environment, mode, api, code string }
	keyLabels   struct{ environment, key, secret string }
	whichLabels struct{ environment, name, value string } // and one label more, or none
)

func environment(s string) attribute.KeyValue { return attribute.String("environment", s) }

func (l codeLabels) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{environment(l.environment), attribute.String("mode", l.mode),
		attribute.String("scheme", l.scheme), attribute.String("code", l.code)}
}

func (l apiLabels) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{environment(l.environment), attribute.String("mode", l.mode),
		attribute.String("api", l.api), attribute.String("code", l.code)}
}

func (l keyLabels) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{environment(l.environment), attribute.String("key", l.key), attribute.String("secret", l.secret)}
}

func (l whichLabels) attributes() []attribute.KeyValue {
	if l.name == "" {
		return []attribute.KeyValue{environment(l.environment)}
	}
	return []attribute.KeyValue{environment(l.environment), attribute.String(l.name, l.value)}
}

// sets caches sets of attributes, because creating one costs more than counting.
type sets[L labels] struct {
	held atomic.Pointer[map[L]metric.MeasurementOption]
	mu   sync.Mutex
}

func (s *sets[L]) get(l L) metric.MeasurementOption {
	if held := s.held.Load(); held != nil {
		if set, ok := (*held)[l]; ok {
			return set
		}
	}
	set := metric.WithAttributeSet(attribute.NewSet(l.attributes()...))
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[L]metric.MeasurementOption{}
	if held := s.held.Load(); held != nil {
		if len(*held) >= maxNames {
			return set // not cached, so the cache stays bounded
		}
		next = maps.Clone(*held)
	}
	next[l] = set
	s.held.Store(&next)
	return set
}
