// Values of other rooms that options take as they are written.

public import ArgumentParser
public import Controls
public import Governance

extension ReportLanguage: ExpressibleByArgument {}

extension ControlPolicyForm: ExpressibleByArgument {}

extension CalendarDay: ExpressibleByArgument {
  /// A day as it is written.
  public init?(argument: String) { self.init(argument) }
}
