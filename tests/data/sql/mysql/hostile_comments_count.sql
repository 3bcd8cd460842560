/* headwater a /_ b _/ c -- d_# e */ SELECT (SELECT COUNT(*) FROM `a /* b */ c -- d
# e` WHERE (`a /* b */ c -- d
# e` >= 0 AND `a /* b */ c -- d
# e` < 9) OR `a /* b */ c -- d
# e` IS NULL OR `a /* b */ c -- d
# e` >= 9), (SELECT CONCAT(MAX(`a /* b */ c -- d
# e`)) FROM `a /* b */ c -- d
# e` WHERE `a /* b */ c -- d
# e` >= 0 AND `a /* b */ c -- d
# e` < 9)
