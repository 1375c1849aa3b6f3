import Testing

@testable import Continuity

@Suite struct ContinuityTests {}
