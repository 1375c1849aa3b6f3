// Regions that aren't meant to be used → a service control policy that closes them. It is the organization's to attach; an
// account can't do it for itself, so no step does. What has no region stays open: `GlobalCalls`. The role that is spared is
// nobody else's to make or change: who could would be spared too.

extension Baseline {
  /// A service control policy that denies all but `regions: used`, as JSON; nil = the baseline says none.
  /// - Parameter role: the role that sets baselines up in all regions, and isn't denied it.
  public func regionPolicy(exceptRole role: String) -> String? {
    guard let usedRegions else { return nil }
    let actions = GlobalCalls.patterns.map { "        \(CanonicalJSON.quoted($0))" }
    let regions = usedRegions.sorted().map(CanonicalJSON.quoted).joined(separator: ", ")
    let spared = CanonicalJSON.quoted("arn:*:iam::*:role/\(role)")
    let changes = Catalogue.roleChanges.map { "        \(CanonicalJSON.quoted($0))" }
    return """
      {
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "KabutoOnlyUsedRegions",
            "Effect": "Deny",
            "NotAction": [
      \(actions.joined(separator: ",\n"))
            ],
            "Resource": "*",
            "Condition": {
              "StringNotEquals": {"aws:RequestedRegion": [\(regions)]},
              "ArnNotLike": {"aws:PrincipalARN": \(spared)}
            }
        }, {
            "Sid": "KabutoSparedRole",
            "Effect": "Deny",
            "Action": [
      \(changes.joined(separator: ",\n"))
            ],
            "Resource": \(spared),
            "Condition": {"ArnNotLike": {"aws:PrincipalARN": \(spared)}}
        }]
      }

      """
  }
}
