package echoauth_test

import (
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest/echotest"
)

// The tests of this file are those that the adapters share. internal/adaptertest documents
// those of all adapters, internal/adaptertest/echotest those of both versions of Echo.

// TestConformance runs the suite of core/coretest (T113).
func TestConformance(t *testing.T) { echotest.TestConformance(t, v4) }

func TestConformanceOfGroupAndRoute_T117(t *testing.T) {
	echotest.TestConformanceOfGroupAndRoute(t, v4)
}

func TestMutantsTurnConformanceRed(t *testing.T) { echotest.TestMutantsTurnConformanceRed(t) }

func TestNothingRunsAfterARefusal_T114(t *testing.T) {
	adaptertest.TestNothingRunsAfterARefusal(t, v4.Framework())
}

func TestIdentity_T115_T121(t *testing.T) { adaptertest.TestIdentity(t, v4.Framework()) }

func TestReceivedTarget_T117(t *testing.T) { adaptertest.TestReceivedTarget(t, v4.Framework()) }

func TestPreflight_T122(t *testing.T) { adaptertest.TestPreflight(t, v4.Framework()) }

func TestMountedTwice_T171(t *testing.T) { adaptertest.TestMountedTwice(t, v4.Framework()) }

func TestBodiesAreReleased(t *testing.T) { adaptertest.TestBodiesAreReleased(t, v4.Framework()) }

func TestMultipartFilesAreRemoved_T062(t *testing.T) {
	adaptertest.TestMultipartFilesAreRemoved(t, v4.Use())
}

func TestAnswersAreThoseOfNetHTTP_T128(t *testing.T) {
	adaptertest.TestAnswersAreThoseOfNetHTTP(t, false, map[string]adaptertest.Mount{"Use": v4.Use(), "Pre": v4.Pre()})
}

func TestErrorHandlerShapesTheAnswer(t *testing.T) { echotest.TestErrorHandlerShapesTheAnswer(t, v4) }

func TestVerboseTellsNoReason(t *testing.T) { echotest.TestVerboseTellsNoReason(t, v4) }

func TestExpect_T056(t *testing.T) { echotest.TestExpect(t, v4) }

func TestDrainedBodies_T174(t *testing.T) { echotest.TestDrained(t, v4) }

func TestStreamedBodies(t *testing.T) { adaptertest.TestStreamed(t, v4.Use()) }

func TestTrailers_T191(t *testing.T) { echotest.TestTrailers(t, v4) }

func TestUnreadBodies_T191(t *testing.T) { echotest.TestUnreadBodies(t, v4) }

func TestRetries_T193(t *testing.T) { echotest.TestRetries(t, v4) }

func TestRetriesOfErrors_T193(t *testing.T) { echotest.TestRetriesOfErrors(t, v4) }

func TestMethodOverrideAndRewrite_T118(t *testing.T) { echotest.TestMethodOverrideAndRewrite(t, v4) }

func TestUnknownRoutes_T119(t *testing.T) { echotest.TestUnknownRoutes(t, v4) }

func TestGroupUseComesFirst_T119(t *testing.T) { echotest.TestGroupUseComesFirst(t, v4) }

func TestOnlyTheOpenRouteIsOpen_T120(t *testing.T) { echotest.TestOnlyTheOpenRouteIsOpen(t, v4) }

func TestRemovedSlash_T120(t *testing.T) { echotest.TestRemovedSlash(t, v4) }

func TestGreedyParameterBesideOpenAPI_T120(t *testing.T) {
	echotest.TestGreedyParameterBesideOpenAPI(t, v4)
}

func TestGreedyParameter_T173(t *testing.T) { echotest.TestGreedyParameter(t, v4, hostMountings) }

func TestGreedyParameterBehindRewrite_T173(t *testing.T) {
	echotest.TestGreedyParameterBehindRewrite(t, v4)
}

func TestGreedyParameterReported_T173(t *testing.T) {
	echotest.TestGreedyParameterReported(t, v4, hostMountings)
}

func TestRoutesServeTheirDepth_T173(t *testing.T) {
	echotest.TestRoutesServeTheirDepth(t, v4, hostMountings)
}
