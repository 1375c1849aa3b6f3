// Regions that aren't meant to be used → a service control policy that closes them. It is the organization's to attach; an
// account can't do it for itself, so no step does. What has no region stays open: `GlobalCalls`.

extension Baseline {
  /// A service control policy that denies all but `regions: used`, as JSON; nil = the baseline says none.
  /// - Parameter role: the role that sets baselines up in all regions, and isn't denied it.
  public func regionPolicy(exceptRole role: String) -> String? {
    guard let usedRegions else { return nil }
    let actions = GlobalCalls.patterns.map { "        \(CanonicalJSON.quoted($0))" }
    let regions = usedRegions.sorted().map(CanonicalJSON.quoted).joined(separator: ", ")
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
              "ArnNotLike": {"aws:PrincipalARN": \(CanonicalJSON.quoted("arn:*:iam::*:role/\(role)"))}
            }
        }]
      }

      """
  }
}
