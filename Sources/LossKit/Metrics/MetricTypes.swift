/// How the numbers of classes are joined to one.
enum ClassAverage: Int32 {
  /// Not at all: a number for each class.
  case none = 0
  /// Counts are summed over the classes first.
  case micro = 1
  /// The mean over the classes that occur.
  case macro = 2
  /// The mean, weighted by how often a class is the label.
  case weighted = 3
}

/// What the entries of a confusion matrix are divided by.
enum ConfusionNormalization: Int32 {
  /// Nothing: weighted counts.
  case none = 0
  /// The sum of the row: of all samples with that label.
  case `true` = 1
  /// The sum of the column: of all samples with that prediction.
  case pred = 2
  /// The sum of all entries.
  case all = 3
}

/// What a disagreement between classes i and j costs.
enum KappaWeights: Int32 {
  /// 1.
  case none = 0
  /// |i − j|.
  case linear = 1
  /// (i − j)².
  case quadratic = 2
}

/// Which binary problems a multi-class AUC is made of.
enum MulticlassScheme: Int32 {
  /// Each class against all others.
  case ovr = 0
  /// Each pair of classes, on the samples of these two.
  case ovo = 1
}

/// What a document of relevance r is worth.
enum RelevanceGain: Int32 {
  /// r.
  case linear = 0
  /// 2^r − 1.
  case exponential = 1
}

/// What documents with equal scores gain.
enum RankingTies: Int32 {
  /// Each the mean gain of them all.
  case average = 0
  /// Its own, in the order of their indices.
  case index = 1
}
