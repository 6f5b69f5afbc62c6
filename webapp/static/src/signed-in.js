// What only the pages of signed-in customers need.
import './js/copy.js'
import './js/places.js'
