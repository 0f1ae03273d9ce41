package storemodel

import (
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// Redis is the model of package core/replay/redis. A restart does not change it.
type Redis struct {
	ClockStep time.Duration
	clock     time.Duration // of the server
	ends      map[identity]time.Duration
}

// NewRedis returns the model of an empty server.
func NewRedis(clockStep time.Duration) *Redis {
	return &Redis{ClockStep: clockStep, ends: map[identity]time.Duration{}}
}

// Pass lets time pass on the server.
func (m *Redis) Pass(d time.Duration) { m.clock += d }

// Add returns the answer to e.
func (m *Redis) Add(e core.ReplayEntry) Answer {
	id, last := identity{e.Environment, e.Fingerprint}, e.Until
	if !e.Presigned {
		last = e.SignedAt.Add(core.MaxClockSkew)
	}
	if end, ok := m.ends[id]; ok && m.clock <= end {
		return Seen
	}
	life := last.Sub(e.Now) + m.ClockStep
	m.ends[id] = m.clock + (life + time.Millisecond - 1).Truncate(time.Millisecond)
	return New
}
